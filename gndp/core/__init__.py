"""The rules: pure Python without I/O, clock or database. Everything above imports from here."""
