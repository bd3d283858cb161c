<?php

/*
 * Every tile of every type from fixed values, against the double of the core: {"<system>.<type>": HTML}.
 * $argv[1]: root of the plugin. $argv[2]: "old" lets the connection be unreachable, "new" has commands without any value,
 * "english" is an English Jeedom, whose daemon has sent its sentences in English.
 */

use Jeenergie\Contract\Catalogue;
use Jeenergie\Daemon\DesiredState;
use Jeenergie\Equipment\Commands;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Tiles\Subject;
use Jeenergie\Tiles\Tile;

error_reporting(E_ALL);
foreach (['tests/php/double/core.php', 'tests/php/double/places.php', 'tests/php/double/objects.php', 'core/class/jeenergie.class.php'] as $file) {
    require $argv[1] . '/' . $file;
}
$still = new ReflectionProperty(DesiredState::class, 'scheduled');
$still->setAccessible(true);
$still->setValue(null, true);

if (($argv[2] ?? '') === 'english') {
    translate::$sections = json_decode(file_get_contents($argv[1] . '/core/i18n/en_US.json'), true);
}

/** A plausible value, large where that is hard to place. */
function value(cmd $cmd, array $row)
{
    if ($cmd->getSubType() === 'binary') {
        return 1;
    }
    if ($cmd->getSubType() === 'string') {
        $texts = ['tempo' => 'rouge', 'COULEUR' => 'BLEU', 'date' => '2026-11-29', 'noCurrent' => 'Limite dynamique du circuit trop basse'];
        foreach ($texts as $part => $text) {
            if (strpos($cmd->getLogicalId(), $part) !== false) {
                return $text;
            }
        }
        $possible = array_values(array_filter(is_array($row['map'] ?? null) ? $row['map'] : [], 'is_string'));
        if (translate::getLanguage() === 'en_US') {
            if ($possible !== []) {
                return end($possible); // such a value is French data in every language
            }
            return $cmd->getLogicalId() === 'state' ? 'En ligne' : 'Text';
        }
        $quantity = is_string($row['measures'] ?? '') ? $row['measures'] ?? '' : '';
        if (strpos($quantity, 'chargePoint.') === 0) {
            $words = ['chargePoint.mode' => 'Solaire', 'chargePoint.state' => 'Surplus insuffisant', 'chargePoint.reason' => 'Il manque 320 W depuis 2 min ; arrêt dans 4 min'];
            return $words[$quantity] ?? '07:30';
        }
        if (strpos($quantity, 'drivenLoad.') === 0) {
            $words = ['drivenLoad.mode' => 'Automatique', 'drivenLoad.state' => 'Délestée'];
            return $words[$quantity] ?? 'Délestée de ses 2400 W : il manque 320 VA sous la limite de la maison ; retour 5 min après';
        }
        return $cmd->getLogicalId() === 'state' ? 'En ligne' : 'H. Pleine';
    }
    $known = ['W' => 12345, 'VA' => 11980, 'Wh' => 14512, 'kWh' => 12345.678, 'V' => 231, 'A' => 11.84, '%' => 67, '€' => 1234.5, '°C' => 21.06];
    $value = $known[$cmd->getUnite()] ?? 3;
    $quantity = is_array($row['measures'] ?? '') ? $row['measures']['quantity'] : $row['measures'] ?? '';
    return $quantity === 'grid.power' ? -$value : ($quantity === 'charger.state' ? 3 : $value);
}

/** Saved as it is: what the user would have to fill in is not asked for here. */
function enabled(jeenergie $eqLogic): jeenergie
{
    $eqLogic->setIsEnable(1);
    $eqLogic->store();
    return jeenergie::byId($eqLogic->getId());
}

function connection(string $backend): jeenergie
{
    $connection = new jeenergie();
    $connection->setName('Maison ' . $backend)->setConfiguration('kind', 'connection');
    $config = [];
    foreach (Catalogue::fields($backend, null) as $field) {
        $texts = ['text' => '192.0.2.1', 'secret' => 'secret'];
        if (!empty($field['required']) && !isset($field['default'])) {
            $config[$field['key']] = $texts[$field['type']] ?? array_keys($field['choices'] ?? [1 => 1])[0];
        }
    }
    $config += array_fill_keys(['jeedomCgx', 'screen', 'supply9v'], true);
    $connection->setConfiguration('backend', $backend)->setConfiguration('config', $config)->save(true);
    return enabled($connection);
}

function fill(jeenergie $eqLogic): void
{
    Commands::createMissing($eqLogic, array_keys($eqLogic->rows()));
    foreach (($GLOBALS['argv'][2] ?? '') === 'new' ? [] : Commands::existing($eqLogic) as $cmd) {
        $cmd->setCache('value', value($cmd, $eqLogic->rows()[$cmd->getLogicalId()]));
        $cmd->setCache('collectDate', '2026-11-29 18:55:00');
    }
}

$html = [];
foreach (Catalogue::backends() as $backend) {
    $connection = connection($backend);
    foreach (array_keys(Catalogue::of($backend)['equipment']) as $type) {
        $count = $type === 'inverter' ? 8 : 1;
        for ($n = 1; $n <= $count; $n++) {
            $config = [];
            foreach (Catalogue::fields($backend, $type) as $field) {
                if ($field['type'] === 'choice' && $field['key'] !== 'tile') {
                    $config[$field['key']] = (string) array_keys($field['choices'])[0];
                }
            }
            $equipment = new jeenergie();
            $equipment->setName('Équipement ' . $n)->setConfiguration('kind', 'equipment');
            $equipment->setConfiguration('backend', $backend)->setConfiguration('connection', (string) $connection->getId());
            $equipment->setConfiguration('type', $type)->setConfiguration('key', (string) $n)->setConfiguration('config', $config);
            $equipment->save(true);
            $equipment = enabled($equipment);
            fill($equipment);
            if ($n === $count && $count > 1) {
                foreach (Commands::existing($equipment) as $cmd) {
                    is_numeric($cmd->execCmd()) && $cmd->setCache('value', $cmd->execCmd() / 3);
                }
            }
        }
        if (($argv[2] ?? '') === 'old') {
            $connection->setCache('state', ['state' => 'unreachable']);
            Subject::forget();
            $equipment->setStatus(['lastCommunication' => date('Y-m-d H:i:s', time() - 720)]);
        }
        $html[$backend . '.' . $type] = Tile::content(new Subject($equipment), 'dashboard');
    }
    fill($connection);
    $html[$backend . '.connection'] = Tile::content(new Subject($connection), 'dashboard');
}
echo json_encode($html);
