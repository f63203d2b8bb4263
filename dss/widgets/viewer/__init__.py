"""The viewer: recordings, annotations and predictions to look at and to correct."""
