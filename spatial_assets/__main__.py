"""`python -m spatial_assets` is the command line."""

from spatial_assets.cli import main

main()
