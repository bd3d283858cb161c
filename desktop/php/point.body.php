<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The page of a charge point on a desktop and in the mobile application. Without any data: these are asked for by the
 * scripts, and each user gets what he may see.
 */
include_file('desktop', 'flow', 'css', 'jeenergie');
include_file('desktop', 'point', 'css', 'jeenergie');
$point = preg_replace('/\D/', '', (string) init('id'));
$version = init('v') === 'm' ? 'mobile' : 'dashboard';
?>

<div id="div_jeenergiePoint" class="jcWaiting" data-enhance="false" data-version="<?php echo $version; ?>" data-point="<?php echo $point; ?>">
    <div class="jcHead">
        <h1 class="jcName"></h1>
        <select class="jcPoints" data-role="none" aria-label="{{Borne}}" hidden></select>
        <a class="jcSettings" href="#" hidden><i class="fas fa-cog"></i> {{Réglages}}</a>
    </div>
    <div class="jcHint jcTrouble" role="alert" hidden></div>
    <div class="jcPage">
        <section class="jcCard jcNow" aria-label="{{Maintenant}}">
            <div class="jcModes" role="group" aria-label="{{Mode}}"></div>
            <div class="jcHeadline"><strong class="jcState"></strong> <span class="jcPower"></span></div>
            <p class="jcWhy" role="status"></p>
            <p class="jcTaken" hidden><span></span> <button type="button" data-role="none" class="jcButton jcRelease">{{Rendre la main}}</button></p>
            <div class="jcFigures"></div>
        </section>
        <section class="jcCard jcGoal" aria-labelledby="jcGoalTitle">
            <h2 id="jcGoalTitle">{{Objectif}}</h2>
            <p class="jcGoalText" role="status"></p>
            <div class="jcProgress" role="progressbar" aria-label="{{Énergie chargée pour l'objectif}}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0" hidden><i></i></div>
            <div class="jcEnergies" role="group" aria-label="{{Énergie à charger}}">
                <button type="button" data-role="none" class="jcButton" data-energy="0">{{Aucun}}</button>
                <button type="button" data-role="none" class="jcButton" data-energy="5">5</button>
                <button type="button" data-role="none" class="jcButton" data-energy="10">10</button>
                <button type="button" data-role="none" class="jcButton" data-energy="20">20</button>
                <button type="button" data-role="none" class="jcButton" data-energy="40">40</button>
                <label><input type="number" data-role="none" class="jcEnergy" min="0" max="150" step="0.5" inputmode="decimal" aria-label="{{Énergie à charger, en kWh}}"> kWh</label>
            </div>
            <div class="jcEnergies jcLevels" role="group" aria-label="{{Charge à atteindre}}" hidden>
                <span>{{ou jusqu'à}}</span>
                <button type="button" data-role="none" class="jcButton" data-level="60">60 %</button>
                <button type="button" data-role="none" class="jcButton" data-level="80">80 %</button>
                <button type="button" data-role="none" class="jcButton" data-level="100">100 %</button>
                <label><input type="number" data-role="none" class="jcEnergy jcLevel" min="0" max="100" step="1" inputmode="numeric" aria-label="{{Charge à atteindre, en %}}"> %</label>
            </div>
            <div class="jcWhenRow">
                <label>{{pour}} <input type="time" data-role="none" class="jcTime" aria-label="{{Heure voulue}}"></label>
                <div class="jcDays" role="group" aria-label="{{Jours de l'objectif}}"></div>
            </div>
        </section>
        <section class="jcCard jcDay24" aria-labelledby="jcDayTitle">
            <h2 id="jcDayTitle">{{Les prochaines 24 heures}}</h2>
            <div class="jcChart"></div>
            <ul class="jcLegend" aria-hidden="true">
                <li><i class="jcSun"></i>{{soleil}}</li><li><i class="jcCarMark"></i>{{voiture}}</li>
                <li><i class="jcPlanMark"></i>{{charge prévue}}</li><li><i class="jcPriceMark"></i>{{prix du kWh}}</li>
            </ul>
        </section>
        <section class="jcCard jcLast" aria-labelledby="jcLastTitle">
            <h2 id="jcLastTitle">{{Les dernières charges}}</h2>
            <ul class="jcSessions"></ul>
        </section>
        <section class="jcCard jcLog" aria-labelledby="jcLogTitle">
            <div class="jcLogHead"><h2 id="jcLogTitle">{{Journal}}</h2>
                <button type="button" data-role="none" class="jcButton jcCsv"><i class="fas fa-download"></i> CSV</button></div>
            <p class="jcNone" hidden>{{Aucune décision encore : la maison en prend quand un mode est choisi.}}</p>
            <div class="jcJournal" tabindex="0" role="region" aria-labelledby="jcLogTitle"><table><tbody></tbody></table></div>
        </section>
    </div>
</div>

<?php
foreach (['ask', 'math', 'elements', 'point.math', 'point.chart', 'point.parts', 'point'] as $script) {
    include_file('desktop', 'house/' . $script, 'js', 'jeenergie');
}
