<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The page of the house on a desktop and in the mobile application: the picture of now, the balance, who takes which
 * part, and the charts of the meters. Without any data: these are asked for by the scripts, and each user gets what he may see.
 */
include_file('desktop', 'flow', 'css', 'jeenergie');
include_file('desktop', 'house', 'css', 'jeenergie');
?>

<div id="div_jeenergieHouse" data-enhance="false">
    <div class="jhTabs" role="tablist">
        <button type="button" data-role="none" role="tab" data-tab="now" aria-selected="true"><i class="fas fa-home"></i> {{Maison}}</button>
        <button type="button" data-role="none" role="tab" data-tab="meters" aria-selected="false"><i class="fas fa-chart-bar"></i> {{Compteurs}}</button>
        <button type="button" data-role="none" role="tab" data-tab="roles" aria-selected="false"><i class="fas fa-sitemap"></i> {{Votre maison}}</button>
    </div>
    <div class="jhHint jhDaemon" role="status" hidden></div>
    <div data-pane="now">
        <div class="jhTop">
            <div class="jhPicture"></div>
            <div class="jhBeside"></div>
        </div>
        <div class="jhHint jhNoLive" hidden></div>
        <div class="jhHint jhRemark" role="status" hidden></div>
        <section class="jhBalance jhWaiting" aria-label="{{Bilan}}">
            <div class="jhControls">
                <div class="jhGroup">
                    <button type="button" data-role="none" data-period="day">{{Jour}}</button>
                    <button type="button" data-role="none" data-period="week">{{Semaine}}</button>
                    <button type="button" data-role="none" data-period="month">{{Mois}}</button>
                    <button type="button" data-role="none" data-period="year">{{Année}}</button>
                    <button type="button" data-role="none" data-period="all">{{Tout}}</button>
                </div>
                <div class="jhGroup jhMove">
                    <button type="button" data-role="none" data-step="-1" title="{{Précédent}}" aria-label="{{Précédent}}"><i class="fas fa-chevron-left"></i></button>
                    <span class="jhPeriod" aria-live="polite"></span>
                    <button type="button" data-role="none" data-step="1" title="{{Suivant}}" aria-label="{{Suivant}}"><i class="fas fa-chevron-right"></i></button>
                </div>
                <button type="button" data-role="none" class="jhButton jhCsv" disabled><i class="fas fa-download"></i> CSV</button>
            </div>
            <div class="jhHint jhTrouble" role="alert" hidden></div>
            <div class="jhTotals"></div>
            <div class="jhSplits"></div>
            <div class="jhBars"></div>
            <div class="jhDevices" hidden></div>
            <small class="jhKnown"></small>
            <details class="jhDetails"><summary>{{Les mêmes chiffres en tableau}}</summary><div class="jhTable"></div></details>
        </section>
    </div>
    <div data-pane="meters" hidden>
        <template class="jhMeters">
            <?php include_file('desktop', 'panel.body', 'php', 'jeenergie'); ?>
        </template>
    </div>
    <div data-pane="roles" hidden>
        <p>{{La maison trouve elle-même ses compteurs. Seuls le prix de revente, et les prix hors tarifs réglementés, sont à saisir.}}
            <a class="jhPrices" href="#" hidden>{{Prix et contrat}}</a></p>
        <p class="jhPoints" hidden></p>
        <div class="jhRoles"></div>
    </div>
</div>

<?php
foreach (['ask', 'math', 'elements', 'flow', 'balance', 'roles', 'point.links', 'page'] as $script) {
    include_file('desktop', 'house/' . $script, 'js', 'jeenergie');
}
