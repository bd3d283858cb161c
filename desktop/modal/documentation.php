<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The documentation and the list of changes, in the user's language or in French.
 */
if (!isConnect('admin')) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
class_exists('jeenergie'); // The core loads the class of a plugin, and that one finds its helpers.
$folder = __DIR__ . '/../../docs/';
$language = is_file($folder . translate::getLanguage() . '/index.md') ? translate::getLanguage() : 'fr_FR';
?>
<div id="md_jeenergieDocumentation">
    <?php foreach (['index.md', 'changelog.md'] as $document) {
        echo '<article>' . jeenergieMarkdown::ofFile($folder . $language . '/' . $document) . '</article>';
    } ?>
</div>
