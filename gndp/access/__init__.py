"""Who somebody is, and what they may do: identities, roles, and the one policy table."""
