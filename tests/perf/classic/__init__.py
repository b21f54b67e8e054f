"""The baseline: session logs kept the usual Django way, in one indexed table.

What a good Django developer writes without special demands: DRF ModelSerializer, `bulk_create`, a hashed
key table, the middleware of `startproject`, persistent connections. It serves the product's wire form, so
that both sides are asked the same thing. It is frozen: the product is measured against it, not tuned with it.
"""
