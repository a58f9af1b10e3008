"""What the experiments of the book need: data, methods, networks, statistics, figures."""
