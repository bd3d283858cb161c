<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Pages\Documentation;

/*
 * The documentation, a page for each system, and the list of changes, in the user's language or in French.
 */
if (!isConnect('admin')) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
class_exists('jeenergie'); // The core loads the class of a plugin, and that one finds its helpers.
$pages = Documentation::pages(translate::getLanguage());
?>
<div id="md_jeenergieDocumentation">
    <?php if ($pages === []) { ?>
        <div class="alert alert-warning">{{La documentation manque dans ce plugin : réinstallez-le, ou mettez-le à jour.}}</div>
    <?php }
    foreach ($pages as $name => $html) {
        $isSubject = !in_array($name, ['index', 'changelog'], true);
        echo '<article data-jn_page="' . $name . '"' . ($isSubject ? ' style="display:none;"' : '') . '>'
            . ($isSubject ? '<p><a class="cursor" role="button" tabindex="0" data-jn_document="index">{{Retour}}</a></p>' : '')
            . $html . '</article>';
    } ?>
</div>
<script>
    (function() {
        const place = document.getElementById('md_jeenergieDocumentation');
        const pages = Array.from(place.querySelectorAll('[data-jn_page]'));

        /* Shows a page, at a section of it. The list of changes stands below the first page. */
        function show(wanted, section) {
            if (!pages.some(function(page) { return page.getAttribute('data-jn_page') === wanted; })) return;
            pages.forEach(function(page) {
                const name = page.getAttribute('data-jn_page');
                page.style.display = name === wanted || (wanted === 'index' && name === 'changelog') ? '' : 'none';
            });
            const heading = section ? document.getElementById('jn-' + wanted + '-' + section) : null;
            (heading || place).scrollIntoView({ block: 'start' });
        }

        place.addEventListener('click', function(event) {
            const link = event.target.closest('[data-jn_document]');
            if (link) show(link.getAttribute('data-jn_document'), link.getAttribute('data-jn_section'));
        });
        window.addEventListener('jeenergie::document', function(event) {
            if (event.detail.page) show(event.detail.page, event.detail.section);
        });
        place.addEventListener('keydown', function(event) {
            if (event.key === 'Enter' && event.target.matches('[data-jn_document]')) event.target.click();
        });
    })();
</script>
