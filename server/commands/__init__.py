"""The commands of `chengtu`, one module each; heavy libraries are imported where a command begins to need them."""
