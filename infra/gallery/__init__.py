"""Triplets as pages to look at: a light page, with pictures and details as files beside it. Needs no network."""

from infra.gallery.writing import NotAGallery, Written, write_gallery

__all__ = ["NotAGallery", "Written", "write_gallery"]
