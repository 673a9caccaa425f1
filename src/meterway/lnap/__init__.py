"""The gateway in the home (LNAP): it binds meters, mirrors and stores what they say, and speaks for them upwards."""
