"""One process for each loaded model: receive, schedule, decode, sample, emit. Knows nothing of HTTP or of the host's pool."""
