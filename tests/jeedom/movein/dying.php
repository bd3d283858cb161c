<?php

/**
 * A connection to the database that ends the process, as by "kill -9", at one of its statements.
 *
 * $argv[1]: which one (0 is the first; -1 is none), $argv[2]: "before" or "after" the server has it, $argv[3]: only
 * those count that match this expression.
 * Prints a line when it begins, and the number of statements if it reaches its end.
 */
class DyingStatement extends PDOStatement
{
    public static $done = 0;
    public static $last = -1;
    public static $where = 'before';
    public static $counted = '//';

    #[ReturnTypeWillChange]
    public function execute($params = null)
    {
        $isLast = preg_match(self::$counted, $this->queryString) === 1 && self::$done++ === self::$last;
        if ($isLast && self::$where === 'before') { posix_kill(getmypid(), 9); }
        $answer = parent::execute($params);
        if ($isLast) { posix_kill(getmypid(), 9); }
        return $answer;
    }
}

global $CONFIG;
$db = $CONFIG['db'];
$pdo = new PDO("mysql:host={$db['host']};port={$db['port']};dbname={$db['dbname']}", $db['username'], $db['password'], [
    PDO::MYSQL_ATTR_INIT_COMMAND => 'SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci',
    PDO::ATTR_ERRMODE => PDO::ERRMODE_SILENT,
    PDO::ATTR_STATEMENT_CLASS => [DyingStatement::class],
]);
DB::getConnection();
$connection = new ReflectionProperty(DB::class, 'connection');
$connection->setAccessible(true);
$connection->setValue(null, $pdo);
[DyingStatement::$last, DyingStatement::$where, DyingStatement::$counted] = [(int) $argv[1], $argv[2], $argv[3]];
echo "begun\n";
Background::run();
echo DyingStatement::$done;
