"""Many small regions measured in one pass, by the definitions that single ones are measured by.

A hundred calls of NumPy cost as much for one region as for three hundred: what is measured so must be many.
"""
