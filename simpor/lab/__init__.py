"""What the experiments of the book need, from data sets and methods to tables and figures.

The sampler needs none of it. Import what you use from its module, such as
``simpor.lab.datasets``.
"""
