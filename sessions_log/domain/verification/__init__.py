"""Verification: everything that is stored of a ledger, computed anew and compared, in one pass and bounded memory.

The entries' rows give their leaves, the leaves the bundles (`leaves`); those the tree, and the tree the roots of all
checkpoints, those that are stored and those that were kept elsewhere (`tree`). What the leaves cannot tell, whether
sealed parts open and say what their entries refer to, is looked at where the keys are at hand (`opening`).
"""
