"""The live page of a run (`--web`): a server for browsers."""
