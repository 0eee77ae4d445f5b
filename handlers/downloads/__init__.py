"""The fetching of models from a model hub, for `trueline download`. The server never imports it."""
