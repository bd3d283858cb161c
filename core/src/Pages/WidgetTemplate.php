<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

use cmd;
use Exception;
use jeenergie;
use Jeenergie\Contract\Catalogue;
use Jeenergie\Contract\Settings;
use Jeenergie\Equipment\Commands;
use translate;

/**
 * The tile of a type of equipment that has its own: a template of core/template/dashboard, named by "widget" in the
 * catalogue and used in both views.
 *
 * Beside the core's tags a template may use these, which are empty if the equipment has no such command or setting:
 *  - #cmd:<logicalId>#: the widget of a visible command
 *  - #cmdId:<logicalId>#: the id of a command, visible or not
 *  - #cmdValue:<logicalId>#: the value of an info, visible or not
 *  - #config:<field>#: a setting that is not a secret
 */
final class WidgetTemplate
{
    /** One template for both views; #version# in it tells which. */
    private const FOLDER = 'dashboard';
    private const TAG = '/#(cmd|cmdId|cmdValue|config):([A-Za-z0-9_:.$-]+)#/';

    /** The name of the template; null if another tile is to be shown. */
    public static function of(jeenergie $eqLogic): ?string
    {
        if ($eqLogic->isConnection() || $eqLogic->getDisplay('widgetTmpl', 1) == 0) {
            return null;
        }
        try {
            $widget = Catalogue::part($eqLogic->backend(), $eqLogic->type())['widget'] ?? null;
        } catch (Exception $error) {
            return null; // of a system or a type that this version does not know
        }
        $holds = $widget !== null && Settings::holds($widget['when'] ?? [], $eqLogic->settings());
        return $holds ? $widget['template'] : null;
    }

    /**
     * @param array $tags the core's, as preToHtml() returns them
     * @return string HTML; '' if there is no such template
     */
    public static function fill(jeenergie $eqLogic, string $template, array $tags, string $version): string
    {
        $html = translate::exec(
            (string) getTemplate('core', self::FOLDER, $template, 'jeenergie'),
            'plugins/jeenergie/core/template/' . self::FOLDER . '/' . $template . '.html'
        );
        if ($html === '') {
            return '';
        }
        $html = template_replace($tags, $html);
        $commands = Commands::existing($eqLogic);
        $secrets = Settings::secretKeys($eqLogic->fields());
        $settings = array_diff_key($eqLogic->config(), array_flip($secrets));
        // After the core's tags, in one pass, so that values are not searched for tags.
        return (string) preg_replace_callback(
            self::TAG,
            fn(array $tag): string => $tag[1] === 'config'
                ? self::escaped($settings[$tag[2]] ?? '')
                : self::ofCommand($tag[1], $commands[$tag[2]] ?? null, $version),
            $html
        );
    }

    private static function ofCommand(string $what, ?cmd $cmd, string $version): string
    {
        if ($cmd === null) {
            return '';
        }
        if ($what === 'cmd') {
            return $cmd->getIsVisible() == 1 ? $cmd->toHtml($version) : '';
        }
        if ($what === 'cmdId') {
            return self::escaped($cmd->getId());
        }
        return $cmd->getType() === 'info' ? self::escaped($cmd->execCmd()) : '';
    }

    private static function escaped($value): string
    {
        if (is_array($value)) {
            $value = implode(',', $value);
        }
        return htmlspecialchars(is_bool($value) ? (string) (int) $value : (string) $value, ENT_QUOTES);
    }
}
