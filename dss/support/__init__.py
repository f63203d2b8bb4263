"""What any stage may use, and what knows of none: whole files, progress, units, spelling."""
