<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Storage\Json;

/*
 * The documentation as a page of its own: what the core's buttons "Documentation" and "Changelog" open. No public
 * address is needed for it, and it is the one of the version that is installed.
 */
if (!isConnect('admin')) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
include_file('desktop', 'jeenergie', 'css', 'jeenergie');
?>
<div class="jnDocumentation">
    <?php include_file('desktop', 'documentation', 'modal', 'jeenergie'); ?>
</div>
<script>
    // ?open=<page>&section=<heading>: an address for each page and each section.
    window.dispatchEvent(new CustomEvent('jeenergie::document', { detail: <?= Json::encode([
        'page' => preg_replace('/\W/', '', init('open')),
        'section' => preg_replace('/[^\p{L}\p{N}_-]/u', '', init('section')),
    ]) ?> }));
</script>
