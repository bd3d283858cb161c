<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The panel: the house now and its balance; what its meters counted by day, month and year.
 */
if (!isConnect()) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
include_file('desktop', 'house.body', 'php', 'jeenergie');
