"""Still pictures in papers' arrangements: arrays -> PNG or GIF bytes. They know no run, no recipe and no disk."""
