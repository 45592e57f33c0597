"""The doors for people: signing in and out, accepting an invitation, changing one's password."""
