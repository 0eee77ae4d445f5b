"""The one place that knows Connexion: documents -> routes, validators compiled once, and operationIds bound to functions."""
