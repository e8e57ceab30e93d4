"""The lens: what a convolutional network has learned, for any network of the suite.

Functions here take a `Subject` or a network and its input, and return tensors; they know of no
domain. What an input means (a picture, a sound, a sentence, a board) each domain says in its
`lens.py`; pictures are drawn in apps.
"""
