<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The energy panel: what the house uses, produces and pays, by day, month and year, whatever system it comes from.
 */
if (!isConnect()) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
include_file('desktop', 'panel', 'css', 'jeenergie');
?>

<div id="div_jeenergiePanel">
    <div class="jpEquipment" role="group" aria-label="{{Équipements}}"></div>
    <div class="jpBar">
        <div class="btn-group" data-group="period">
            <button type="button" class="btn btn-sm btn-default" data-value="day">{{Jours}}</button>
            <button type="button" class="btn btn-sm btn-default" data-value="month">{{Mois}}</button>
            <button type="button" class="btn btn-sm btn-default" data-value="year">{{Années}}</button>
        </div>
        <div class="btn-group jpMove">
            <button type="button" class="btn btn-sm btn-default" data-move="-1" title="{{Précédent}}"><i class="fas fa-chevron-left"></i></button>
            <span class="jpPeriod"></span>
            <button type="button" class="btn btn-sm btn-default" data-move="1" title="{{Suivant}}"><i class="fas fa-chevron-right"></i></button>
        </div>
        <div class="btn-group" data-group="figure">
            <button type="button" class="btn btn-sm btn-default" data-value="energy">kWh</button>
            <button type="button" class="btn btn-sm btn-default" data-value="money">€</button>
        </div>
        <label class="jpOption"><input type="checkbox" data-option="split"> {{Détail par tarif}}</label>
        <label class="jpOption"><input type="checkbox" data-option="compare"> {{Comparer à l'année d'avant}}</label>
    </div>
    <div class="jpTotals" aria-live="polite"></div>
    <div class="jpBody">
        <div class="jpTile eqLogicZone"></div>
        <div class="jpChart" id="jeenergiePanelChart"></div>
    </div>
    <div class="jpMessage" hidden></div>
</div>

<?php include_file('desktop', 'panel', 'js', 'jeenergie'); ?>
