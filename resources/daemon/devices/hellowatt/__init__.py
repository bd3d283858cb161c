"""The helloWatt customer account: daily figures of electricity and gas, read from the site a few times a day."""
