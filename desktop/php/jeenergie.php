<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The plugin's page: the list of connections with their equipment, and the form of one of them.
 *
 * The list is drawn here; states and ages are filled in, and kept up to date, by the scripts.
 */
if (!isConnect('admin')) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
sendVarToJS('eqType', 'jeenergie');
include_file('desktop', 'jeenergie', 'css', 'jeenergie');
?>

<div class="row row-overflow" id="div_jeenergie">
    <div class="col-xs-12 eqLogicThumbnailDisplay">
        <?php include_file('desktop', 'jeenergie.list', 'php', 'jeenergie'); ?>
    </div>
    <div class="col-xs-12 eqLogic" style="display: none;">
        <?php include_file('desktop', 'jeenergie.form', 'php', 'jeenergie'); ?>
    </div>
</div>

<?php
foreach (['tools', 'fields', 'nearby', 'dialogs', 'movein', 'list', 'connection', 'discovery', 'commands', 'page', 'firststeps'] as $script) {
    include_file('desktop', 'jeenergie.' . $script, 'js', 'jeenergie');
}
include_file('core', 'plugin.template', 'js');
