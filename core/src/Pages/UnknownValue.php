<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use eqLogic;
use jeedom;
use jeenergie;
use jeenergieCmd;
use translate;

/**
 * Widgets of commands before their first value: a dash, where the core would show 0, "off" or a slider at its least.
 *
 * The core fills in a widget's own parameters after its tags, so that they can name other values for a number. A yes or
 * no and a slider have templates of their own, which give way to the core's with the first value.
 */
final class UnknownValue
{
    /** A number must be one for the widget, which looks at #state# for the text only. */
    private const TAGS = ['state' => '–', 'unite' => '', 'hide_history' => 'hidden'];

    /** By type and subtype; of core/template/dashboard, for both views. */
    private const TEMPLATES = ['info binary' => 'unknownBinary', 'action slider' => 'unknownSlider'];

    /** HTML of a command whose value is not known; null if the core's widget is to be shown. */
    public static function html(jeenergieCmd $cmd, string $version): ?string
    {
        $template = self::TEMPLATES[$cmd->getType() . ' ' . $cmd->getSubType()] ?? null;
        if ($template === null || self::isKnown($cmd)) {
            return null;
        }
        $view = jeedom::versionAlias($version);
        $name = htmlspecialchars((string) $cmd->getName(), ENT_QUOTES);
        $html = translate::exec(
            (string) getTemplate('core', 'dashboard', $template, 'jeenergie'),
            'plugins/jeenergie/core/template/dashboard/' . $template . '.html'
        );
        return template_replace([
            '#id#' => $cmd->getId(),
            '#uid#' => 'cmd' . $cmd->getId() . eqLogic::UIDDELIMITER . mt_rand() . eqLogic::UIDDELIMITER,
            '#eqLogic_id#' => $cmd->getEqLogic_id(),
            '#version#' => $view,
            '#name#' => $name,
            '#name_display#' => $cmd->getDisplay('icon') ?: $name,
            '#hide_name#' => $cmd->getDisplay('showNameOn' . $view, 1) == 0 ? 'hidden' : '',
            '#minValue#' => (float) $cmd->getConfiguration('minValue', 0),
            '#maxValue#' => (float) $cmd->getConfiguration('maxValue', 100),
            '#unite#' => htmlspecialchars((string) $cmd->getUnite(), ENT_QUOTES),
        ], $html);
    }

    /** The command itself, or a copy that nobody saves, whose widget shows that its number is not known. */
    public static function shownBy(jeenergieCmd $cmd): jeenergieCmd
    {
        $own = jeenergie::dictionary($cmd->getDisplay('parameters'));
        $isNumber = $cmd->getType() === 'info' && $cmd->getSubType() === 'numeric';
        if (!$isNumber || array_intersect_key($own, self::TAGS) == self::TAGS || self::isKnown($cmd)) {
            return $cmd;
        }
        return (clone $cmd)->setDisplay('parameters', self::TAGS + $own);
    }

    /** A slider's value is that of the info it belongs to; without one it has none to show. */
    private static function isKnown(jeenergieCmd $cmd): bool
    {
        $info = $cmd->getType() === 'info' ? $cmd : $cmd->getCmdValue();
        return !is_object($info) || (string) $info->execCmd() !== '';
    }
}
