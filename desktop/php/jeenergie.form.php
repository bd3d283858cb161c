<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

/*
 * The form of a connection or of an equipment: what both share. The scripts add what the catalogue says about it.
 * Blocks marked data-jn_kind are shown for a "connection" or for an "equipment" only.
 */
if (!isConnect('admin')) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
?>
<div class="input-group pull-right" style="display:inline-flex;">
    <span class="input-group-btn">
        <a class="btn btn-sm btn-default roundedLeft" id="bt_jeenergiePage" href="#" style="display:none;"><i class="fas fa-charging-station"></i> {{Sa page}}
        </a><a class="btn btn-sm btn-default eqLogicAction roundedLeft" data-action="configure"><i class="fas fa-cogs"></i><span class="jnWide"> {{Configuration avancée}}</span>
        </a><a class="btn btn-sm btn-default eqLogicAction" data-action="copy" data-jn_kind="connection"><i class="fas fa-copy"></i><span class="jnWide"> {{Dupliquer}}</span>
        </a><a class="btn btn-sm btn-success eqLogicAction" data-action="save"><i class="fas fa-check-circle"></i> {{Sauvegarder}}
        </a><a class="btn btn-sm btn-danger eqLogicAction roundedRight" data-action="remove"><i class="fas fa-minus-circle"></i><span class="jnWide"> {{Supprimer}}</span>
        </a>
    </span>
</div>
<ul class="nav nav-tabs" role="tablist">
    <li role="presentation"><a class="eqLogicAction cursor" role="tab" data-toggle="tab" data-action="returnToThumbnailDisplay" title="{{Retour à la liste}}" aria-label="{{Retour à la liste}}"><i class="fas fa-arrow-circle-left"></i></a></li>
    <li role="presentation" class="active"><a data-target="#eqlogictab" aria-controls="eqlogictab" role="tab" data-toggle="tab"><i class="fas fa-tachometer-alt"></i><span class="jnWide" data-jn_kind="equipment"> {{Équipement}}</span><span class="jnWide" data-jn_kind="connection"> {{Connexion}}</span></a></li>
    <li role="presentation"><a data-target="#commandtab" aria-controls="commandtab" role="tab" data-toggle="tab"><i class="fas fa-list"></i><span class="jnWide"> {{Commandes}}</span></a></li>
</ul>
<div class="jnFirstSteps" role="region" aria-label="{{Premiers pas}}" data-jn_kind="connection"></div>
<div class="tab-content">
    <div role="tabpanel" class="tab-pane active" id="eqlogictab">
        <form class="form-horizontal" autocomplete="off">
            <fieldset>
                <div class="col-lg-6">
                    <legend><i class="fas fa-wrench"></i> {{Paramètres généraux}}</legend>
                    <div class="form-group">
                        <label class="col-sm-4 control-label" for="in_jeenergieName">{{Nom}}</label>
                        <div class="col-sm-7">
                            <input type="text" class="eqLogicAttr form-control" data-l1key="id" style="display:none;">
                            <input type="text" class="eqLogicAttr form-control" data-l1key="name" id="in_jeenergieName" placeholder="{{Nom}}">
                            <span class="jnHelp" id="span_jeenergieNameLocked" style="display:none;">{{Une fois enregistré, ce nom ne peut plus être modifié.}}</span>
                        </div>
                    </div>
                    <div class="form-group">
                        <label class="col-sm-4 control-label" for="sel_object">{{Objet parent}}</label>
                        <div class="col-sm-7">
                            <select id="sel_object" class="eqLogicAttr form-control" data-l1key="object_id">
                                <option value="">{{Aucun}}</option>
                                <?php foreach (jeeObject::buildTree(null, false) as $object) {
                                    echo '<option value="' . $object->getId() . '">'
                                        . str_repeat('&nbsp;&nbsp;', (int) $object->getConfiguration('parentNumber'))
                                        . $object->getName() . '</option>';
                                } ?>
                            </select>
                            <span class="jnHelp" data-jn_kind="connection">{{Ses équipements y sont créés, et ceux qui n'ont pas d'objet l'y suivent. Sans objet, ils ne sont pas sur le dashboard.}}</span>
                        </div>
                    </div>
                    <div class="form-group">
                        <label class="col-sm-4 control-label">{{Options}}</label>
                        <div class="col-sm-7">
                            <label class="checkbox-inline"><input type="checkbox" class="eqLogicAttr" data-l1key="isEnable" checked>{{Activer}}</label>
                            <label class="checkbox-inline"><input type="checkbox" class="eqLogicAttr" data-l1key="isVisible" checked>{{Visible}}</label>
                            <span class="jnHelp" id="span_jeenergieFresh" style="display:none;">{{Cochée pour vous : la connexion démarre dès que vous sauvegardez.}}</span>
                            <span class="jnHelp" id="span_jeenergieCascade" style="display:none;">{{Désactiver la connexion désactive aussi ses équipements ; ceux qui sont activés aujourd'hui le seront de nouveau avec elle.}}</span>
                        </div>
                    </div>
                    <details class="jnAdvanced">
                    <summary>{{Catégorie et commentaire}}</summary>
                    <div class="form-group">
                        <label class="col-sm-4 control-label">{{Catégorie}}</label>
                        <div class="col-sm-7">
                            <?php foreach (jeedom::getConfiguration('eqLogic:category') as $key => $value) {
                                echo '<label class="checkbox-inline"><input type="checkbox" class="eqLogicAttr" data-l1key="category" data-l2key="'
                                    . $key . '">' . $value['name'] . '</label>';
                            } ?>
                        </div>
                    </div>
                    <div class="form-group">
                        <label class="col-sm-4 control-label" for="ta_jeenergieComment">{{Commentaire}}</label>
                        <div class="col-sm-7">
                            <textarea class="form-control eqLogicAttr autogrow" data-l1key="comment" id="ta_jeenergieComment"></textarea>
                        </div>
                    </div>
                    </details>
                </div>
                <div class="col-lg-6">
                    <legend><i class="fas fa-heartbeat"></i> {{État}}</legend>
                    <div id="div_jeenergieState"></div>
                    <div data-jn_kind="equipment">
                        <legend><i class="fas fa-link"></i> {{Connexion de l'équipement}}</legend>
                        <div class="form-group">
                            <label class="col-sm-4 control-label" for="sel_jeenergieConnection">{{Connexion}}</label>
                            <div class="col-sm-7">
                                <div class="input-group">
                                    <select class="form-control roundedLeft" id="sel_jeenergieConnection"></select>
                                    <span class="input-group-btn">
                                        <a class="btn btn-default roundedRight" data-jn_action="gotoConnection" title="{{Ouvrir cette connexion}}"><i class="fas fa-external-link-alt"></i></a>
                                    </span>
                                </div>
                                <span class="jnHelp" id="span_jeenergieMove"></span>
                            </div>
                        </div>
                        <div class="form-group">
                            <label class="col-sm-4 control-label">{{Type}}</label>
                            <div class="col-sm-7"><p class="form-control-static" id="p_jeenergieType"></p></div>
                        </div>
                        <div class="form-group">
                            <label class="col-sm-4 control-label" for="in_jeenergieKey" id="label_jeenergieKey">{{Identifiant}}</label>
                            <div class="col-sm-7"><input type="text" class="form-control" id="in_jeenergieKey"><p class="form-control-static" id="p_jeenergieKey"></p></div>
                        </div>
                    </div>
                    <legend id="legend_jeenergieFields"><i class="fas fa-sliders-h"></i> <span></span></legend>
                    <div class="jnHelp" id="div_jeenergieSystemHelp"></div>
                    <div id="div_jeenergieFields">
                        <div id="div_jeenergieEssentials"></div>
                        <div data-jn_kind="connection">
                            <div class="jnButtons">
                                <a class="btn btn-primary" data-jn_action="test"><i class="fas fa-stethoscope"></i> {{Tester}}</a>
                                <a class="btn btn-default" data-jn_action="discover"><i class="fas fa-sync-alt"></i> {{Synchroniser}}</a>
                                <a class="btn btn-default jnByHand" data-jn_action="addByHand"><i class="fas fa-plus"></i> {{Ajouter un équipement}}</a>
                            </div>
                            <div id="div_jeenergieResult" class="jnNotice"></div>
                        </div>
                        <div id="div_jeenergieFolded"></div>
                    </div>
                    <div data-jn_kind="connection">
                        <div id="div_jeenergieOperations"></div>
                        <legend id="legend_jeenergieEquipment"><i class="fas fa-sitemap"></i> {{Équipements de cette connexion}}</legend>
                        <div id="div_jeenergieEquipment"></div>
                    </div>
                </div>
            </fieldset>
        </form>
    </div>
    <div role="tabpanel" class="tab-pane" id="commandtab">
        <div class="jnButtons jnCommandButtons">
            <a class="btn btn-default btn-sm" data-jn_action="createMissing"><i class="fas fa-plus-circle"></i> {{Créer les commandes manquantes}} <span class="badge" id="span_jeenergieMissing"></span></a>
            <a class="btn btn-default btn-sm" data-jn_action="resetCommands"><i class="fas fa-undo"></i> {{Réinitialiser les commandes}}</a>
        </div>
        <div id="div_jeenergieCommands" class="jnNotice"></div>
        <div class="table-responsive">
            <table id="table_cmd" class="table table-bordered table-condensed">
                <thead>
                    <tr>
                        <th class="hidden-xs" style="width:60px;">ID</th>
                        <th style="min-width:200px;">{{Nom}}</th>
                        <th style="min-width:125px;">{{Type}}</th>
                        <th style="min-width:230px;">{{Options}}</th>
                        <th style="min-width:90px;">{{État}}</th>
                        <th style="min-width:110px;width:130px;">{{Actions}}</th>
                    </tr>
                </thead>
                <tbody>
                </tbody>
            </table>
        </div>
    </div>
</div>
