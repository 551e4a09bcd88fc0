"""`python -m infra.cli`: the commands as they are, for those who start them in processes of their own."""

from infra.cli import main

if __name__ == "__main__":  # A spawned child imports this module too.
    main()
