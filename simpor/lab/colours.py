"""The colours of the book: one table, one meaning for each.

===================  ===============================================================
colour               meaning
===================  ===============================================================
blue, dot            a row of the majority
vermilion, triangle  a row of the minority
green, cross         a synthetic row
red-violet, square   SIMPOR among other methods
grey                 the other methods
purple to green      differences: below zero purple, above zero green, white at zero
black to white       lines, labels and sheets, which mean nothing by themselves
===================  ===============================================================

Lines that stand for none of these, such as several bandwidths, take ``LINES`` in its order.
Blue, vermilion and green are of Okabe and Ito's set for colour-blind readers, purple and green of
ColorBrewer's.
"""

from __future__ import annotations

from matplotlib.colors import LinearSegmentedColormap

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"

# A lighter one for the dark theme.
SIMPOR_COLOUR, SIMPOR_IN_THE_DARK = "#AA3377", "#EE88BB"
GREY = "#666666"

INK, FAINT, PALE, PAPER = "#000000", "#B3B3B3", "#E6E6E6", "#FFFFFF"

LINES = [INK, "#9A6A00", "#5B5EA6", "#8C8C8C", "#4D2A00"]

# From the majority's side to the minority's, white where neither wins.
CLASS_COLOURS = LinearSegmentedColormap.from_list(
    "majority to minority", ["#7FB8D8", PAPER, "#EAAE7F"]
)

# Below and above zero: an odd number of shades, so that zero is white.
DIFFERENCES = LinearSegmentedColormap.from_list("differences", ["#762A83", PAPER, "#1B7837"], N=257)

# From certain to undecided.
DOUBT = LinearSegmentedColormap.from_list("doubt", [PAPER, INK])

# Of claims, in the order of simpor.lab.claims.VERDICTS: green where they hold, purple where not.
VERDICT_COLOURS = ["#7FBF7B", "#D9F0D3", "#AF8DC3", FAINT, PALE]
