"""`python -m handlers` is `trueline`."""

from handlers.cli import main

if __name__ == "__main__":
    main(prog_name="trueline")
