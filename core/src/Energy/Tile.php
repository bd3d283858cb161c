<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Energy;

use cmd;
use jeenergie;
use Jeenergie\Contract\Catalogue;

/**
 * The plugin's own tile: figures of energy in a table of day, month and year, all other values below it.
 *
 * Chosen by the setting "tile" of an equipment, instead of the core's tile. Commands that are not visible are left out. The
 * frame (title, refresh, colours) is the core's.
 */
final class Tile
{
    private const PERIODS = ['day', 'month', 'year'];
    private const CHIPS = ['bleu' => '#2f6fd0', 'blanc' => '#f2f4f7', 'rouge' => '#d64541'];

    /** Whether the user has chosen this tile. */
    public static function isChosen(jeenergie $eqLogic): bool
    {
        return !$eqLogic->isConnection() && ($eqLogic->config()['tile'] ?? '') === 'own';
    }

    /** HTML inside the frame. */
    public static function content(jeenergie $eqLogic): string
    {
        $rows = $eqLogic->rows();
        $table = $others = $dates = [];
        foreach ($eqLogic->getCmd('info', null, true) as $cmd) {
            $panel = Catalogue::panel($rows[$cmd->getLogicalId()] ?? []);
            $value = $cmd->execCmd();
            if ($panel !== null && !isset($panel['part']) && in_array($panel['per'], self::PERIODS, true)) {
                $table[$panel['kind']][$panel['per']] = self::figure($cmd, $value, true);
                $table[$panel['kind']]['label'] = $table[$panel['kind']]['label'] ?? self::label($cmd);
                $dates[$panel['per']] = max($dates[$panel['per']] ?? '', (string) $cmd->getCollectDate());
            } else {
                $name = self::text($cmd->getName());
                $others[] = '<tr><td>' . $name . '</td><td>' . self::figure($cmd, $value) . '</td></tr>';
            }
        }
        $rest = $others === [] ? '' : '<table class="jtTable"><tbody>' . implode('', $others) . '</tbody></table>';
        return self::style() . '<div class="jtBody">' . self::table($table, $dates) . $rest . '</div>' . self::script();
    }

    /** Label of a line: the name of its first command without the period, and the unit. */
    private static function label(cmd $cmd): string
    {
        $name = (string) preg_replace('/ (jour|mois|mensuelle|ann(ée|uelle?))$/u', '', $cmd->getName());
        return self::text($name) . ' <small>' . self::text((string) $cmd->getUnite()) . '</small>';
    }

    private static function table(array $table, array $dates): string
    {
        if ($table === []) {
            return '';
        }
        $head = '<th></th>';
        foreach (array_keys($dates) as $period) {
            $head .= '<th>' . self::date($period, $dates[$period]) . '</th>';
        }
        $body = '';
        foreach ($table as $line) {
            $body .= '<tr><td>' . $line['label'] . '</td>';
            foreach (array_keys($dates) as $period) {
                $body .= '<td>' . ($line[$period] ?? '') . '</td>';
            }
            $body .= '</tr>';
        }
        return '<table class="jtTable"><thead><tr>' . $head . '</tr></thead><tbody>' . $body . '</tbody></table>';
    }

    /** Heading of a column: the day, month or year of its figures. */
    private static function date(string $period, string $moment): string
    {
        $time = strtotime($moment);
        if ($time === false) {
            return '';
        }
        $formats = ['day' => 'd/m', 'month' => 'm/y', 'year' => 'Y'];
        return date($formats[$period], $time);
    }

    /** One value; `$short` is the form in the table, rounded and without its unit. */
    private static function figure(cmd $cmd, $value, bool $short = false): string
    {
        $unit = (string) $cmd->getUnite();
        $digits = abs((float) $value) >= 100 ? 0 : ($unit === '€' ? 2 : 1);
        $shown = $short && is_numeric($value) ? number_format((float) $value, $digits, '.', '') : (string) $value;
        $color = self::CHIPS[is_string($value) ? $value : ''] ?? null;
        $chip = $color === null ? '' : '<i class="jtChip" style="background:' . $color . '"></i>';
        $class = 'cmd jtValue' . ($cmd->getIsHistorized() == 1 ? ' history cursor' : '');
        return '<span class="' . $class . '" data-type="info" data-cmd_id="' . $cmd->getId() . '" data-short="'
            . ($short ? '1' : '') . '" data-unit="' . self::text($unit) . '" title="'
            . self::text($cmd->getName() . ' : ' . $value . ' ' . $unit) . '">' . $chip
            . ($shown === '' ? '–' : self::text($shown))
            . ($short || $unit === '' ? '' : ' <small>' . self::text($unit) . '</small>') . '</span>';
    }

    private static function text(string $text): string
    {
        return htmlspecialchars($text, ENT_QUOTES);
    }

    private static function style(): string
    {
        return '<style>.jtBody{display:block;width:100%;overflow-x:auto}'
            . '.jtTable{width:100%!important;margin:2px 0;border-collapse:collapse;background:none;font-size:.85em}'
            . '.jtTable tr,.jtTable td,.jtTable th{background:none!important;border:0!important}'
            . '.jtTable td,.jtTable th{padding:1px 2px!important;text-align:right;white-space:nowrap;font-weight:normal}'
            . '.jtTable th{opacity:.75}.jtTable td:first-child{text-align:left}.jtTable small{opacity:.7}'
            . '.jtValue{font-weight:600;font-variant-numeric:tabular-nums}'
            . '.jtChip{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.4em;'
            . 'border:1px solid rgba(128,128,128,.6)}</style>';
    }

    /** Updates the figures when the core pushes a new value. */
    private static function script(): string
    {
        return <<<'HTML'
<script>
document.querySelectorAll('.jtValue[data-cmd_id]').forEach(function (place) {
  jeedom.cmd.addUpdateFunction(place.getAttribute('data-cmd_id'), function (news) {
    document.querySelectorAll('.jtValue[data-cmd_id="' + news.cmd_id + '"]').forEach(function (each) {
      var unit = each.getAttribute('data-unit'), value = Number(news.display_value)
      var short = each.getAttribute('data-short') === '1'
      var digits = Math.abs(value) >= 100 ? 0 : unit === '€' ? 2 : 1
      each.textContent = short && !isNaN(value) ? value.toFixed(digits) : news.display_value
      if (!short && unit) {
        each.append(' ', Object.assign(document.createElement('small'), { textContent: unit }))
      }
    })
  })
})
</script>
HTML;
    }
}
