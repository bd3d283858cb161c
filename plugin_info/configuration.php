<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The plugin's configuration. The core loads and saves what has class configKey; its checks and immediate effects
 * are preConfig_* and postConfig_* of the class.
 */
require_once __DIR__ . '/../../../core/php/core.inc.php';
include_file('core', 'authentification', 'php');
if (!isConnect('admin')) {
    include_file('desktop', '404', 'php');
    die();
}
?>
<style>
    /* The themes' greys of a field and of its help have too little contrast. */
    #div_plugin_configuration .jnConfiguration :is(.help-block, .form-control) { color: #45494d !important; }
    .jnConfiguration .help-block { margin-top: 2px; font-size: 12px; line-height: 1.4; }
    [data-theme$="Dark"] #div_plugin_configuration .jnConfiguration :is(.help-block, .form-control) { color: #d6d9dc !important; }
</style>
<form class="form-horizontal jnConfiguration">
    <fieldset>
        <div class="row">
            <div class="col-lg-6">
                <legend><i class="fas fa-university"></i> {{Démon}}</legend>
                <div class="form-group">
                    <label class="col-sm-5 control-label" for="in_jeenergiePort">{{Port}}</label>
                    <div class="col-sm-6">
                        <input type="number" min="1024" max="65535" step="1" class="configKey form-control" data-l1key="socketport" id="in_jeenergiePort" placeholder="34739">
                        <span class="help-block">{{Port TCP entre Jeedom et le démon, sur cette machine seulement. À changer si un autre programme l'utilise. Le démon redémarre de lui-même à la sauvegarde.}}</span>
                    </div>
                </div>
                <div class="form-group">
                    <label class="col-sm-5 control-label" for="in_jeenergieCycle">{{Cycle d'envoi}}</label>
                    <div class="col-sm-6">
                        <div class="input-group">
                            <input type="number" min="0" max="60" step="any" class="configKey form-control roundedLeft" data-l1key="cycle" id="in_jeenergieCycle" placeholder="0.2">
                            <span class="input-group-addon roundedRight">s</span>
                        </div>
                        <span class="help-block">{{Pause du démon entre deux envois de valeurs à Jeedom. Augmentez-la sur une machine très chargée. Le démon redémarre de lui-même à la sauvegarde.}}</span>
                    </div>
                </div>
            </div>
            <div class="col-lg-6">
                <legend><i class="fas fa-file-alt"></i> {{Logs}}</legend>
                <div class="form-group">
                    <label class="col-sm-5 control-label" for="in_jeenergieDebug">{{Debug étendu}}</label>
                    <div class="col-sm-6">
                        <input type="checkbox" class="configKey" data-l1key="extendedDebug" id="in_jeenergieDebug">
                        <span class="help-block">{{Au niveau Debug, écrit aussi les messages incessants des bibliothèques tierces. Prend effet dès la sauvegarde.}}</span>
                    </div>
                </div>
                <div class="form-group">
                    <label class="col-sm-5 control-label" for="in_jeenergieUnsecure">{{Log non sécurisé}}</label>
                    <div class="col-sm-6">
                        <input type="checkbox" class="configKey" data-l1key="unsecureLog" id="in_jeenergieUnsecure">
                        <span class="help-block">{{Laisse en clair les mots de passe, jetons et numéros de compteur, remplacés sinon par ********. Ne publiez jamais un tel log. Prend effet dès la sauvegarde.}}</span>
                    </div>
                </div>
            </div>
        </div>
    </fieldset>
</form>
