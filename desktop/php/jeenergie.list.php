<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

use Jeenergie\Equipment\Names;
use Jeenergie\MoveIn\Background;
use Jeenergie\Pages\PageActions;

/*
 * The list: buttons, search, one foldable group for each connection with its equipment by type; and what the
 * scripts start from.
 */
if (!isConnect('admin')) {
    throw new Exception('{{401 - Accès non autorisé}}');
}
class_exists('jeenergie'); // The core loads the class of a plugin, and that one finds its helpers.
$eqLogics = [];
foreach (jeenergie::byType('jeenergie') as $eqLogic) {
    $eqLogics[$eqLogic->getId()] = $eqLogic;
}
$list = PageActions::listOf($eqLogics);
$catalogue = PageActions::catalogue();
sendVarToJS('jeenergieData', ['catalogue' => $catalogue, 'list' => $list, 'replacements' => Names::REPLACEMENTS]);

/** A card as the core's scripts know it: they open, search and lay it out. */
$card = static function (array $each) use ($eqLogics): string {
    $eqLogic = $eqLogics[$each['id']];
    $image = $eqLogic->picture();
    $picture = $image === null
        ? '<i class="' . htmlspecialchars($each['icon'] ?: 'fas fa-bolt') . '"></i>'
        : '<img src="' . htmlspecialchars($image) . '" alt="">';
    $object = $eqLogic->getObject();
    return '<div class="eqLogicDisplayCard jnRow cursor' . ($each['isEnable'] ? '' : ' disableCard') . '" data-eqLogic_id="'
        . $each['id'] . '" role="link" tabindex="0" title="' . htmlspecialchars($each['typeName'] . ' ' . $each['shownKey']) . '">'
        . '<span class="jnPicture">' . $picture . '</span>'
        . '<span class="name">' . htmlspecialchars($each['name'])
        . (is_object($object) ? '<small>' . htmlspecialchars($object->getName()) . '</small>' : '')
        . '<span class="jnSearch">' . htmlspecialchars($each['typeName'] . ' ' . $each['shownKey']) . '</span></span>'
        . ($each['isVisible'] ? '' : '<i class="fas fa-eye-slash" title="{{Masqué}}"></i>')
        . '<span class="jnLive" data-live_of="' . $each['id'] . '"></span>'
        . '<span class="jnDot" data-state_of="' . $each['id'] . '"></span></div>';
};

/** Cards of the same type under their type's name, in the catalogue's order. */
$cards = static function (array $equipment) use ($card, $catalogue): string {
    $types = array_keys($equipment === [] ? [] : $catalogue['backends'][$equipment[0]['backend']]['equipment'] ?? []);
    $byType = [];
    foreach (array_unique(array_merge($types, array_column($equipment, 'type'))) as $type) {
        $members = array_filter($equipment, fn(array $each): bool => $each['type'] === $type);
        if ($members !== []) {
            $byType[] = array_values($members);
        }
    }
    $html = '';
    foreach ($byType as $members) {
        $html .= '<div class="jnType"><div class="jnTypeName"><i class="' . htmlspecialchars($members[0]['typeIcon'])
            . '"></i> ' . htmlspecialchars($members[0]['typeName']) . ' <span class="badge">' . count($members) . '</span></div>'
            . '<div class="jnRows">' . implode('', array_map($card, $members)) . '</div></div>';
    }
    return $html;
};
?>
<legend><i class="fas fa-cog"></i> {{Gestion}}</legend>
<div class="eqLogicThumbnailContainer">
    <div class="cursor eqLogicAction logoPrimary" data-jn_action="addConnection">
        <i class="fas fa-plus-circle"></i><br><span class="txtColor">{{Ajouter une connexion}}</span>
    </div>
    <?php if ($list['connections'] !== []) { ?>
        <div class="cursor eqLogicAction logoSecondary" data-jn_action="discoverAll">
            <i class="fas fa-sync-alt"></i><br><span>{{Tout synchroniser}}</span>
        </div>
    <?php } ?>
    <?php if ($list['connections'] !== []) { ?>
        <div class="cursor eqLogicAction logoSecondary" data-jn_action="panel">
            <i class="fas fa-chart-bar"></i><br><span>{{Panneau}}</span>
        </div>
    <?php } ?>
    <?php if (Background::list() !== []) { ?>
        <div class="cursor eqLogicAction logoSecondary" data-jn_action="moveIn" role="button" tabindex="0">
            <i class="fas fa-people-carry"></i><br><span>{{Reprendre un ancien plugin}}</span>
        </div>
    <?php } ?>
    <div class="cursor eqLogicAction logoSecondary" data-action="gotoPluginConf" role="button" tabindex="0">
        <i class="fas fa-wrench"></i><br><span>{{Configuration}}</span>
    </div>
    <div class="cursor eqLogicAction logoSecondary" data-jn_action="documentation">
        <i class="fas fa-book"></i><br><span>{{Documentation}}</span>
    </div>
    <div class="cursor eqLogicAction logoSecondary" data-jn_action="diagnostics" role="button" tabindex="0">
        <i class="fas fa-stethoscope"></i><br><span>{{Diagnostic}}</span>
    </div>
    <div class="cursor eqLogicAction logoSecondary" data-jn_action="community">
        <i class="fas fa-ambulance"></i><br><span>{{Assistance}}</span>
    </div>
</div>

<div class="jnFirstSteps" role="region" aria-label="{{Premiers pas}}"></div>
<div id="div_jeenergieDaemon" class="jnNotice"></div>

<legend<?php echo $list['connections'] === [] ? ' class="jnNothingYet"' : ''; ?>><i class="fas fa-plug"></i> {{Mes connexions et leurs équipements}}</legend>
<?php if ($list['connections'] === []) { ?>
    <div class="jnEmpty">
        <i class="fas fa-plug"></i>
        <p><strong>{{Aucune connexion pour l'instant}}</strong></p>
        <p>{{Une connexion relie Jeedom à une passerelle, un serveur ou un compte. Ses équipements sont ensuite trouvés tout seuls.}}</p>
        <a class="btn btn-success" data-jn_action="addConnection"><i class="fas fa-plus-circle"></i> {{Ajouter une connexion}}</a>
    </div>
<?php } else { ?>
    <div class="input-group jnSearchBar">
        <input class="form-control roundedLeft" placeholder="{{Rechercher un nom, un objet, un numéro de série}}" aria-label="{{Rechercher}}" id="in_searchEqlogic">
        <div class="input-group-btn">
            <a id="bt_resetSearch" class="btn" role="button" tabindex="0" title="{{Vider la recherche}}" aria-label="{{Vider la recherche}}"><i class="fas fa-times"></i></a>
            <a class="btn" data-jn_action="unfoldAll" title="{{Tout déplier}}"><i class="fas fa-folder-open"></i></a>
            <a class="btn roundedRight" data-jn_action="foldAll" title="{{Tout replier}}"><i class="fas fa-folder"></i></a>
        </div>
    </div>
    <div id="div_jeenergieNothing" class="jnNotice"></div>
<?php } ?>
<?php foreach ($list['connections'] as $connection) { ?>
    <div class="jnGroup<?php echo $connection['isEnable'] ? '' : ' jnOff'; ?>" data-connection="<?php echo $connection['id']; ?>">
        <div class="jnGroupHead">
            <a class="jnFold" data-jn_action="fold" title="{{Replier ou déplier}}"><i class="fas fa-chevron-down"></i></a>
            <a class="eqLogicDisplayCard jnConnection cursor" data-eqLogic_id="<?php echo $connection['id']; ?>">
                <i class="<?php echo htmlspecialchars($connection['icon'] ?: 'fas fa-plug'); ?>"></i>
                <span class="jnNames">
                    <span class="name"><?php echo htmlspecialchars($connection['name']); ?></span>
                    <span class="jnSystem"><?php echo htmlspecialchars($connection['backendName']); ?></span>
                </span>
            </a>
            <span class="jnState" data-state_of="<?php echo $connection['id']; ?>"></span>
            <span class="jnTools">
                <a class="btn btn-sm btn-default" data-jn_action="discover" title="{{Chercher les équipements de cette connexion}}"><i class="fas fa-sync-alt"></i><span class="jnWide"> {{Synchroniser}}</span></a>
                <a class="btn btn-sm btn-default jnByHand" data-jn_action="addByHand" title="{{Ajouter un équipement à la main}}"><i class="fas fa-plus"></i><span class="jnWide"> {{Équipement}}</span></a>
                <a class="btn btn-sm btn-default" data-jn_action="open" title="{{Régler cette connexion}}"><i class="fas fa-cogs"></i><span class="jnWide"> {{Régler}}</span></a>
            </span>
        </div>
        <div class="jnMessage" data-message_of="<?php echo $connection['id']; ?>" style="display:none;"></div>
        <div class="jnNotice"></div>
        <div class="jnGroupBody">
            <?php if ($connection['equipment'] === []) { ?>
                <div class="jnNone">{{Aucun équipement. Cliquez sur « Synchroniser » pour chercher ce que cette connexion propose.}}</div>
            <?php }
            echo $cards($connection['equipment']); ?>
        </div>
    </div>
<?php } ?>
<?php if ($list['orphans'] !== []) { ?>
    <div class="jnGroup" data-connection="orphans">
        <div class="jnGroupHead">
            <a class="jnFold" data-jn_action="fold" title="{{Replier ou déplier}}"><i class="fas fa-chevron-down"></i></a>
            <span class="jnConnection"><i class="fas fa-unlink"></i><span class="jnNames">{{Équipements sans connexion}}</span></span>
        </div>
        <div class="jnGroupBody">
            <div class="jnRows"><?php echo implode('', array_map($card, $list['orphans'])); ?></div>
        </div>
    </div>
<?php } ?>
