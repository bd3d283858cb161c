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
$language = translate::getLanguage();
$pages = Documentation::names($language);
?>
<div id="md_jeenergieDocumentation">
    <?php if ($pages === []) { ?>
        <div class="alert alert-warning">{{La documentation manque dans ce plugin : réinstallez-le, ou mettez-le à jour.}}</div>
    <?php }
    foreach ($pages as $name) {
        $isSubject = !in_array($name, ['index', 'changelog'], true);
        // A subject is loaded when it is opened: with their pictures, all of them are more than a megabyte.
        echo '<article data-jn_page="' . $name . '"' . ($isSubject ? ' data-jn_later style="display:none;"' : '') . '>'
            . ($isSubject ? '<p><a class="cursor" role="button" tabindex="0" data-jn_document="index">{{Retour}}</a></p>' : '')
            . ($isSubject ? '' : Documentation::page($language, $name)) . '</article>';
    } ?>
</div>
<script>
    (function() {
        const place = document.getElementById('md_jeenergieDocumentation');
        const pages = Array.from(place.querySelectorAll('[data-jn_page]'));

        /* Loads a page once; what could not be loaded says why, and is tried again when it is opened again. */
        async function load(page) {
            if (!page.hasAttribute('data-jn_later')) return;
            const holder = page.querySelector('.jnLoaded') || page.appendChild(document.createElement('div'));
            holder.className = 'jnLoaded';
            holder.textContent = '…';
            const request = JSON.stringify({ page: page.getAttribute('data-jn_page') });
            try {
                const answer = await fetch('plugins/jeenergie/core/ajax/jeenergie.ajax.php', {
                    method: 'POST', credentials: 'same-origin', body: new URLSearchParams({ action: 'document', request: request })
                });
                const content = await answer.json();
                if (content.state !== 'ok') throw new Error(content.result);
                holder.innerHTML = content.result.html;
                page.removeAttribute('data-jn_later');
            } catch (error) {
                holder.textContent = '{{Cette page ne peut pas être chargée :}} ' + error.message;
            }
        }

        /* Shows a page, at a section of it. The list of changes stands below the first page. */
        async function show(wanted, section) {
            const asked = pages.find(function(page) { return page.getAttribute('data-jn_page') === wanted; });
            if (!asked) return;
            await load(asked);
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
