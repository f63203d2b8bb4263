"""The viewer: look at recordings, annotations and predictions, and correct them."""
