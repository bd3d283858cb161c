<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Tiles;

use cmd;
use Exception;
use Jeenergie\Contract\Catalogue;

/**
 * Which tile an equipment has: by purpose, or Jeedom's own widgets.
 *
 * The setting "tile" decides. Left at "auto" it is the tile by purpose, unless the user has chosen other widgets or a layout
 * in Jeedom: what he has arranged stays.
 */
final class Choice
{
    public static function isByPurpose(Subject $subject): bool
    {
        $eqLogic = $subject->eqLogic;
        try {
            Catalogue::part($eqLogic->backend(), $eqLogic->type());
            $choice = $eqLogic->isConnection() ? 'auto' : (string) ($eqLogic->config()['tile'] ?? 'auto');
        } catch (Exception $error) {
            return false; // of a system or a type that this version does not know
        }
        return $choice === 'own' || ($choice === 'auto' && !self::isArranged($subject));
    }

    /** Whether the user has arranged the tile himself. */
    private static function isArranged(Subject $subject): bool
    {
        $eqLogic = $subject->eqLogic;
        if ($eqLogic->getDisplay('layout::dashboard') === 'table' || $eqLogic->getDisplay('widgetTmpl', 1) == 0) {
            return true;
        }
        $rows = $subject->rows();
        foreach ($subject->commands as $logicalId => $cmd) {
            $widget = $cmd->getIsVisible() == 1 ? self::widgetOf($cmd) : '';
            if ($widget !== '' && isset($rows[$logicalId]) && $widget !== ($rows[$logicalId]['template'] ?? '')) {
                return true;
            }
        }
        return false;
    }

    private static function widgetOf(cmd $cmd): string
    {
        return self::widget((string) $cmd->getTemplate('dashboard', ''));
    }

    /** The name of a widget; '' for the core's default. */
    private static function widget(string $template): string
    {
        return in_array($template, ['core::default', 'default'], true) ? '' : $template;
    }
}
