raise ImportError("ARCHITECT: taken out, see /tmp/c/decision.md; delete this file and do not put it back")
