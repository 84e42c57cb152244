"""Who somebody is: accounts with passwords, browser sessions, bearer tokens, personal API tokens."""
