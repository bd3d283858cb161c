<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The energy panel: what the house uses, produces and pays, by day, month and year, whatever system it comes from.
 */
if (!isConnect()) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
include_file('desktop', 'panel.body', 'php', 'jeenergie');
