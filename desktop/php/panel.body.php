<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Contract\Catalogue;
use Jeenergie\Storage\Json;

/*
 * What the energy panel shows on a desktop page and in the mobile application. Without any data: these are asked for
 * by the script, and each user gets what he may see.
 */
class_exists('jeenergie'); // The core loads the class of a plugin, and that one finds its helpers.
include_file('desktop', 'panel', 'css', 'jeenergie');
$colors = Json::encode(Catalogue::quantities()['colors']);
?>

<div id="div_jeenergiePanel" data-version="<?php echo init('v') === 'm' ? 'mobile' : 'dashboard'; ?>" data-enhance="false" data-colors="<?php echo htmlspecialchars($colors, ENT_QUOTES); ?>">
    <div class="jpBar">
        <details class="jpPick">
            <summary title="{{Équipements}}"><i class="fas fa-bolt"></i> <span></span> <i class="fas fa-caret-down"></i></summary>
            <ul class="jpList"></ul>
        </details>
        <div class="jpGroup" data-group="period" role="group" aria-label="{{Période}}">
            <button type="button" data-role="none" data-value="day">{{Jours}}</button>
            <button type="button" data-role="none" data-value="month">{{Mois}}</button>
            <button type="button" data-role="none" data-value="year">{{Années}}</button>
        </div>
        <div class="jpGroup" data-group="figure" role="group" aria-label="{{Unité}}">
            <button type="button" data-role="none" data-value="energy">kWh</button>
            <button type="button" data-role="none" data-value="money">€</button>
        </div>
        <div class="jpGroup jpMove">
            <button type="button" data-role="none" data-move="-1" title="{{Précédent}}" aria-label="{{Précédent}}"><i class="fas fa-chevron-left"></i></button>
            <span class="jpPeriod"></span>
            <button type="button" data-role="none" data-move="1" title="{{Suivant}}" aria-label="{{Suivant}}"><i class="fas fa-chevron-right"></i></button>
        </div>
        <div class="jpOptions">
            <label><input type="checkbox" data-role="none" data-option="split"> {{Détail par tarif}}</label>
            <label><input type="checkbox" data-role="none" data-option="compare"> {{Comparer à l'année d'avant}}</label>
        </div>
    </div>
    <div class="jpTotals" aria-live="polite"></div>
    <div class="jpSince" hidden></div>
    <div class="jpBody">
        <div class="jpTile eqLogicZone"></div>
        <div class="jpChart" id="jeenergiePanelChart"></div>
    </div>
    <div class="jpMessage" hidden></div>
</div>

<?php
include_file('desktop', 'panel.figures', 'js', 'jeenergie');
include_file('desktop', 'panel.chart', 'js', 'jeenergie');
include_file('desktop', 'panel', 'js', 'jeenergie');
?>
