<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The page of a charge point: its mode and goal, what happens now and why, the day ahead, the last charges, the journal.
 */
if (!isConnect()) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
include_file('desktop', 'point.body', 'php', 'jeenergie');
