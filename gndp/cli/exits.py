"""The exit codes of ``gndp``; 0 is success and nothing else."""

FOUND, REFUSED, UNAVAILABLE = 1, 2, 3
"""The exit codes: a check found something, or a job failed; a refusal, or wrong usage; something
that is needed cannot be used."""

EXIT_CODES = (
    "Exit codes: 0 success; 1 a check found something, or a job failed; 2 refused, or wrong usage; "
    "3 the database, its data directory or the port cannot be used."
)
