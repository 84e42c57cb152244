"""Running a server: one process, or several workers on one socket."""
