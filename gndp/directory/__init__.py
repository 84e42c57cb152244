"""Who does the work: teams, people, their skills and absences."""
