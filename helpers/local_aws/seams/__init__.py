"""Where the account is sewn to moto: `table` has every place of moto's that is changed, `seam` how it is done."""
