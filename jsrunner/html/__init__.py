"""HTML documents as k6/html sees them: parse, move, select, render. No script, no socket, no clock."""
