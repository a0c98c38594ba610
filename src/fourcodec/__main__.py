"""`python -m fourcodec`: the same as the `fourcodec` command."""

from fourcodec.cli import main

if __name__ == "__main__":
    main()
