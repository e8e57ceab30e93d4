"""Images: the standard classifier, and the case studies of the lecture."""
